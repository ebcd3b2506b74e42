-- What people had or have to judge. A decision counts from the moment it is in the audit trail; the item's own state
-- follows only when its store-day is computed again.
with items as (
    select * from {{ source('orders', 'review_items') }}
),

decisions as (
    select * from {{ source('orders', 'review_decisions') }}
),

first_decisions as (
    select review_id, arg_min(decision, decided_at) as decision
    from decisions
    group by all
),

renamed as (
    select
        items.store_id,
        items.business_date::date as business_date,
        items.review_id,
        case first_decisions.decision
            when 'accept' then 'accepted'
            when 'amend' then 'amended'
            when 'reject' then 'rejected'
            when 'unbilled' then 'unbilled'
            else items.state
        end as state
    from items
    left join first_decisions using (review_id)
)

select * from renamed
