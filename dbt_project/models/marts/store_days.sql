-- One row per store, business date and origin. Counts and sums only: nothing here leads back to a person.
with orders as (
    select
        store_id,
        business_date,
        origin,
        bool_or(is_simulated) as is_simulated,
        count(*) as orders,
        sum(amount_fen) as value_fen
    from {{ ref('stg_orders') }}
    group by all
),

items as (
    select
        orders.store_id,
        orders.business_date,
        orders.origin,
        sum(lines.quantity) as items
    from {{ ref('stg_orders') }} as orders
    inner join {{ ref('stg_order_lines') }} as lines using (order_no)
    group by all
),

visits as (
    select store_id, business_date, 'platform' as origin, count(*) as visits
    from {{ ref('stg_visits') }}
    group by all
),

reviews as (
    select
        store_id,
        business_date,
        'platform' as origin,
        count(*) as review_items,
        count(*) filter (where state = 'waiting') as review_items_waiting,
        count(*) filter (where state = 'unbilled') as review_items_unbilled,
        count(*) filter (where state in ('accepted', 'amended', 'rejected')) as review_items_decided
    from {{ ref('stg_review_items') }}
    group by all
),

simulated as (
    select store_id, is_simulated from {{ source('orders', 'stores') }}
),

days as (
    select store_id, business_date, origin from orders
    union
    select store_id, business_date, origin from visits
    union
    select store_id, business_date, origin from reviews
),

joined as (
    select
        days.store_id,
        days.business_date,
        days.origin,
        coalesce(orders.is_simulated, simulated.is_simulated) as is_simulated,
        -- History tells of orders only: how many came and bought nothing is unknown there, not zero.
        case when days.origin = 'platform' then coalesce(visits.visits, 0) end::bigint as visits,
        coalesce(orders.orders, 0)::bigint as orders,
        coalesce(items.items, 0)::bigint as items,
        coalesce(orders.value_fen, 0)::bigint as value_fen,
        (orders.value_fen / nullif(orders.orders, 0))::double as mean_order_fen,
        case when days.origin = 'platform' then coalesce(reviews.review_items, 0) end::bigint as review_items,
        case when days.origin = 'platform' then coalesce(reviews.review_items_waiting, 0) end::bigint
            as review_items_waiting,
        case when days.origin = 'platform' then coalesce(reviews.review_items_unbilled, 0) end::bigint
            as review_items_unbilled,
        case when days.origin = 'platform' then coalesce(reviews.review_items_decided, 0) end::bigint
            as review_items_decided,
        (reviews.review_items_decided / nullif(reviews.review_items, 0))::double as reviewed_share
    from days
    left join orders using (store_id, business_date, origin)
    left join items using (store_id, business_date, origin)
    left join visits using (store_id, business_date, origin)
    left join reviews using (store_id, business_date, origin)
    left join simulated using (store_id)
)

select * from joined
order by store_id, business_date, origin
