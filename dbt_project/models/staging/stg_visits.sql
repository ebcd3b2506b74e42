-- Stays of shoppers; staff are not shoppers.
with visits as (
    select * from {{ source('orders', 'visits') }}
),

renamed as (
    select
        store_id,
        business_date::date as business_date,
        visit_id,
        state
    from visits
    where state <> 'staff'
)

select * from renamed
